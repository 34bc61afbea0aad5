//! Semantic models and metrics of the OSI documents that the root project keeps in its `osi-paths`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::{Semantics, Written, metrics, models};
use crate::artifacts::{OSI_VERSIONS, OsiDocument};
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Config, DependsOn, Json, JsonMap, Node, RefCall, ResourceType, Semantic};
use crate::project::{FileKind, SourceFile};
use crate::resolve::config;
use crate::resolve::nearest;
use crate::resolve::nodes::Shared;
use crate::semantic::{Element, FromOsi, Made, OsiSemanticMetric, OsiSemanticModel, from_osi};

/// Adds what the documents define. They read the root project's models by name, schema and database.
pub fn documents(shared: &Shared<'_>, nodes: &[Node], semantics: &mut Semantics, diagnostics: &mut Vec<Diagnostic>) {
    let mut files: Vec<&Arc<SourceFile>> =
        shared.project.root_package().files.iter().filter(|file| file.kind == FileKind::Osi).collect();
    if files.is_empty() {
        return;
    }
    files.sort_by_key(|file| file.original_path.clone());
    let models = nodes.iter().filter(|node| node.resource_type == ResourceType::Model && node.config.enabled());
    let models: HashMap<[String; 3], &Node> = models.map(|node| (relation_key(node), node)).collect();
    for file in files {
        let Some(found) = read(file, diagnostics) else { continue };
        let document = Document { shared, file };
        for model in found.models {
            if let Some(written) = document.model(model, &models, semantics, diagnostics) {
                semantics.models.push(written);
            }
        }
        for metric in found.metrics {
            if let Some(written) = document.metric(metric, semantics, diagnostics) {
                semantics.metrics.push(written);
            }
        }
    }
}

fn relation_key(node: &Node) -> [String; 3] {
    let name = if node.alias.is_empty() { &node.name } else { &node.alias };
    [name, &node.schema, node.database.as_deref().unwrap_or_default()].map(str::to_lowercase)
}

fn read(file: &SourceFile, diagnostics: &mut Vec<Diagnostic>) -> Option<FromOsi> {
    let path = &file.original_path;
    match OsiDocument::read(&file.source.text) {
        Ok(document) if OSI_VERSIONS.contains(&document.version.as_str()) => Some(from_osi(&document)),
        Ok(document) => {
            let message = format!("OSI file '{path}' uses unsupported version '{}'", document.version);
            let help = format!("versions that can be read: {}", OSI_VERSIONS.join(", "));
            diagnostics.push(Diagnostic::error("E0226", message).at(&file.source, place(file, &document.version)).help(help));
            None
        }
        Err((message, line, column)) => {
            let start: usize = file.source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
            let at = (start + column.saturating_sub(1)).min(file.source.text.len());
            let message = format!("Failed to parse OSI file '{path}': {message}");
            diagnostics.push(Diagnostic::error("E0225", message).at(&file.source, Span::new(at, at)));
            None
        }
    }
}

/// Where a text first stands in the file.
fn place(file: &SourceFile, text: &str) -> Span {
    let quoted = json!(text).to_string();
    let at = file.source.text.find(&quoted).unwrap_or_default();
    Span::new(at, at + quoted.len())
}

struct Document<'a> {
    shared: &'a Shared<'a>,
    file: &'a Arc<SourceFile>,
}

impl Document<'_> {
    fn model(
        &self,
        model: OsiSemanticModel,
        models: &HashMap<[String; 3], &Node>,
        semantics: &Semantics,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Written> {
        let (database, schema, alias) = &model.source;
        let key = [alias, schema, database.as_deref().unwrap_or_default()].map(str::to_lowercase);
        let path = &self.file.original_path;
        let Some(node) = models.get(&key) else {
            let table: Vec<&str> =
                [database.as_deref().unwrap_or_default(), schema, alias].into_iter().filter(|part| !part.is_empty()).collect();
            let message = format!(
                "OSI file '{path}' contains dataset '{}' ({}) that does not match any dbt model in this project.",
                model.name,
                table.join(".")
            );
            let mut diagnostic = Diagnostic::error("E0227", message).at(&self.file.source, place(self.file, &model.name));
            diagnostic.help = nearest::hint(alias, models.keys().map(|key| key[0].as_str()))
                .or_else(|| Some("a data set's source is the database, schema and name of a model's relation".to_owned()));
            diagnostics.push(diagnostic);
            return None;
        };
        let parts = models::Parts {
            model: format!("ref('{}')", node.name),
            agg_time_dimension: None,
            entities: model.entities.iter().map(entity).collect(),
            measures: Vec::new(),
            dimensions: model.dimensions.iter().map(dimension).collect(),
            primary_entity: Json::Null,
        };
        let description = model.description.unwrap_or_default();
        let mut written = self.written(ResourceType::SemanticModel, model.name, description, parts.body());
        written.of.refs = vec![RefCall { package: None, name: node.name.clone(), version: None }];
        self.unless_known(written, &semantics.models, "semantic model", diagnostics)
    }

    fn metric(&self, metric: OsiSemanticMetric, semantics: &Semantics, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
        let (kind, params) = match metric.made {
            Made::Aggregated { model, kind, expr, percentile } => {
                let agg_params = percentile.map_or(Json::Null, |percentile| {
                    json!({
                        "percentile": percentile,
                        "use_discrete_percentile": false,
                        "use_approximate_percentile": false,
                    })
                });
                let aggregation = json!({
                    "semantic_model": model,
                    "agg": kind,
                    "agg_params": agg_params,
                    "agg_time_dimension": null,
                    "non_additive_dimension": null,
                });
                let params = params(|params| {
                    params.insert("expr".to_owned(), json!(expr));
                    params.insert("metric_aggregation_params".to_owned(), aggregation);
                });
                ("simple", params)
            }
            Made::Ratio { numerator, denominator } => {
                let params = params(|params| {
                    params.insert("numerator".to_owned(), metrics::plain_input(&numerator));
                    params.insert("denominator".to_owned(), metrics::plain_input(&denominator));
                });
                ("ratio", params)
            }
        };
        let body = metrics::body(kind, params, Json::Null, Json::Null);
        let label = metric.name.clone();
        let mut written = self.written(ResourceType::Metric, metric.name, metric.description.unwrap_or_default(), body);
        written.of.label = Some(label);
        self.unless_known(written, &semantics.metrics, "metric", diagnostics)
    }

    fn unless_known(&self, new: Written, known: &[Written], kind: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
        let same = |one: &&Written| one.of.unique_id == new.of.unique_id && one.of.config.enabled();
        let Some(first) = known.iter().find(same) else { return Some(new) };
        let message = format!(
            "OSI file '{}' defines {kind} '{}' which conflicts with an existing {kind} in this project.",
            self.file.original_path, new.of.name
        );
        let diagnostic = new.error("E0228", message).help("rename one of them");
        diagnostics.push(diagnostic.at_with(&first.file.source, first.span, "the other one"));
        None
    }

    fn written(&self, kind: ResourceType, name: String, description: String, body: JsonMap) -> Written {
        let package = &self.shared.project.root_package().name;
        let path = self.file.original_path.to_string();
        let span = place(self.file, &name);
        let of = Semantic {
            unique_id: format!("{kind}.{package}.{name}").into(),
            fqn: vec![package.to_string(), name.clone()],
            name,
            package_name: package.clone(),
            path: path.clone(),
            original_file_path: path,
            description,
            label: None,
            group: None,
            tags: Vec::new(),
            meta: JsonMap::new(),
            config: default_config(kind),
            unrendered_config: JsonMap::new(),
            depends_on: DependsOn::default(),
            refs: Vec::new(),
            body,
            created_at: self.shared.created_at,
        };
        Written { of, file: self.file.clone(), span }
    }
}

/// The parameters of a metric, with what a document never says.
fn params(with: impl FnOnce(&mut JsonMap)) -> Json {
    metrics::params(|params| {
        params.insert("metrics".to_owned(), Json::Null);
        params.insert("is_private".to_owned(), json!(false));
        with(params);
    })
}

/// The configuration of a resource that nothing configures.
fn default_config(kind: ResourceType) -> Config {
    let levels = config::Levels { own: Vec::new(), root: Vec::new() };
    config::merge(&config::Given { kind, levels, patch: None, calls: &JsonMap::new() }).config
}

fn entity(of: &Element) -> Json {
    json!({
        "name": of.name,
        "type": of.kind,
        "description": of.description,
        "label": of.label,
        "role": null,
        "expr": of.expr,
        "config": null,
    })
}

fn dimension(of: &Element) -> Json {
    let params = if of.kind == "time" { json!({"time_granularity": "day", "validity_params": null}) } else { Json::Null };
    json!({
        "name": of.name,
        "type": of.kind,
        "description": of.description,
        "label": of.label,
        "is_partition": false,
        "type_params": params,
        "expr": of.expr,
        "metadata": null,
        "config": null,
        "datatype": of.datatype,
    })
}
