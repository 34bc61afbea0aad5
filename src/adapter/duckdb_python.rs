//! Python on a DuckDB file. A file has one process that writes: lineal lets go of it, the child opens it, lineal takes it
//! back. So the child's queries run where the data is, whatever a model asks of its session, and no row crosses a process.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::AdapterError;
use super::duckdb::{DuckDb, lock};
use super::python::{self, PythonTask, Said};
use crate::fs::FileSystem as _;
use crate::manifest::{Json, JsonMap};

/// Where an in-memory database is kept once Python may be asked for: no other process could see the memory. The file's name
/// gives the catalog's, which is `memory` as in memory. Goes with the run.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("lineal-{}", uuid::Uuid::new_v4().simple()));
        // Where this fails, opening the file tells of it.
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let _ = builder.create(&folder);
        Self { folder }
    }

    pub fn path(&self) -> String {
        self.folder.join("memory.duckdb").to_string_lossy().into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = crate::fs::Disk.remove(&self.folder);
    }
}

impl DuckDb {
    /// Waits until no connection is open, closes the file, and runs the task; whoever connects meanwhile waits.
    pub(super) fn lend(&self, task: &PythonTask, said: Said) -> Result<(), AdapterError> {
        let task = self.task(task)?;
        let stopped = || self.sessions.cancelled.load(Ordering::SeqCst);
        let mut root = lock(&self.root);
        while !lock(&self.sessions.open).is_empty() {
            if stopped() {
                return Err(AdapterError::Cancelled);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        *root = None;
        python::run(&task, said, &stopped)
    }

    /// The task with all that the child needs to open the database as lineal does.
    fn task(&self, task: &PythonTask) -> Result<Json, AdapterError> {
        let credentials = &self.credentials;
        let extensions =
            credentials.extensions.iter().map(|extension| json!({"load": extension.load(), "install": extension.install()}));
        let mut out = json!({
            "database": self.path(),
            "config": credentials.config_options.iter().cloned().map(|(key, value)| (key, Json::from(value))).collect::<JsonMap>(),
            "extensions": extensions.collect::<Vec<_>>(),
            "setup": credentials.setup,
            "session": credentials.session,
            "module_paths": credentials.module_paths,
        });
        let own = match task {
            PythonTask::Model { name, code, file } => json!({"task": "model", "name": name, "code": code, "file": file}),
            PythonTask::Load { plugin, source } => json!({"task": "load", "plugin": self.plugin(plugin)?, "source": source}),
            PythonTask::Store { plugin, target } => {
                let before = !lock(&self.stored).insert((*plugin).to_owned());
                json!({"task": "store", "plugin": self.plugin(plugin)?, "target": target, "stored_before": before})
            }
        };
        if let (Some(out), Json::Object(own)) = (out.as_object_mut(), own) {
            out.extend(own);
        }
        Ok(out)
    }

    /// A plugin of the profile, by its alias or the last part of its module.
    fn plugin(&self, name: &str) -> Result<Json, AdapterError> {
        let plugins = &self.credentials.plugins;
        let found = plugins.iter().find(|plugin| plugin.name == name).ok_or_else(|| {
            let known: Vec<&str> = plugins.iter().map(|plugin| plugin.name.as_str()).collect();
            AdapterError::Connect {
                message: format!("Plugin {name} not found; known plugins are: {}", known.join(",")),
                help: Some("Name it under `plugins:` of the profile's target.".to_owned()),
            }
        })?;
        let mut config = self.credentials.settings.clone();
        config.extend(found.config.clone());
        Ok(json!({"name": found.name, "module": found.module, "config": config, "credentials": self.credentials.keys}))
    }
}
