//! TLS to a PostgreSQL server: how much of its certificate has to be right, and a certificate of our own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::postgres_credentials::{Credentials, SslMode};
use crate::fs::{Disk, FileSystem};

/// The client's side of TLS, as `sslmode` and the certificates of the target ask for it.
pub(super) fn config(credentials: &Credentials) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(credentials, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(invalid)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let config = match (&credentials.ssl_cert, &credentials.ssl_key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(&Disk.read(key)?).map_err(|error| invalid_file(key, error))?;
            builder.with_client_auth_cert(certificates(certificate)?, key).map_err(invalid)?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn verifier(credentials: &Credentials, provider: &Arc<CryptoProvider>) -> io::Result<Arc<dyn ServerCertVerifier>> {
    let mode = credentials.ssl_mode;
    let Some(root) = &credentials.ssl_root_cert else {
        if matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) {
            let message = "root certificate file \"~/.postgresql/root.crt\" does not exist: give `sslrootcert`, or another \
                           `sslmode`, which does not verify the server's certificate";
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        return Ok(Arc::new(Lenient { provider: provider.clone(), chain: None }));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(root)? {
        roots.add(certificate).map_err(invalid)?;
    }
    let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let strict = strict.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    if mode == SslMode::VerifyFull {
        return Ok(strict);
    }
    // With a root certificate, libpq's `require` means `verify-ca`; `prefer` and weaker never look.
    let chain = matches!(mode, SslMode::Require | SslMode::VerifyCa).then_some(strict);
    Ok(Arc::new(Lenient { provider: provider.clone(), chain }))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = Disk.read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| invalid_file(path, error))
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn invalid_file(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
}

/// Takes any certificate, or one of any name whose chain is good.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: all else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
