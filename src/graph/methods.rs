//! What each selection method matches.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::criteria::{Criterion, Method, Place};
use super::fqn::NamePattern;
use super::wildcard::{self, PathPattern};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, Resource, ResourceType, VersionText};
use crate::project::Project;

/// Decides whether a resource is matched.
pub(super) type Matcher<'a> = Box<dyn Fn(&Resource) -> bool + Send + Sync + 'a>;

/// The test of every method that looks at one resource alone; `state`, `result`, `source_status` and `selector` are not here.
pub(super) fn matcher<'a>(project: &'a Project, criterion: &'a Criterion) -> Result<Matcher<'a>, Box<Diagnostic>> {
    let place = &criterion.place;
    if criterion.method == Method::Config {
        return Ok(config(&criterion.arguments, &criterion.value));
    }
    let value = text_of(criterion)?;
    Ok(match criterion.method {
        Method::Fqn => fqn(&value),
        Method::Tag => Box::new(move |resource| resource.tags().iter().any(|tag| wildcard::matches(tag, &value))),
        Method::Group => Box::new(move |resource| {
            matches!(resource, Resource::Node(_) | Resource::Metric(_))
                && resource.resource_type() != ResourceType::Function
                && resource.config().text("group").is_some_and(|group| !group.is_empty() && wildcard::matches(group, &value))
        }),
        Method::Access => Box::new(move |resource| {
            let Resource::Node(node) = resource else { return false };
            node.model().is_some_and(|model| model.access == value)
        }),
        Method::Source => source(&value, place)?,
        Method::Exposure => named(&value, ResourceType::Exposure, place)?,
        Method::Metric => named(&value, ResourceType::Metric, place)?,
        Method::SemanticModel => named(&value, ResourceType::SemanticModel, place)?,
        Method::SavedQuery => named(&value, ResourceType::SavedQuery, place)?,
        Method::UnitTest => named(&value, ResourceType::UnitTest, place)?,
        Method::Path => path(project, &value, place)?,
        Method::File => Box::new(move |resource| {
            let path = resource.original_file_path();
            let name = path.rsplit('/').next().unwrap_or(path);
            let stem = name.rfind('.').filter(|at| *at > 0).map_or(name, |at| &name[..at]);
            wildcard::matches(name, &value) || wildcard::matches(stem, &value)
        }),
        Method::Package => {
            let wanted = if value == "this" { project.root_package().name.to_string() } else { value };
            Box::new(move |resource| wildcard::matches(resource.package_name(), &wanted))
        }
        Method::TestName => Box::new(move |resource| match resource {
            Resource::UnitTest(test) => wildcard::matches(&test.name, &value),
            Resource::Node(node) => node
                .test()
                .and_then(|test| test.metadata.as_ref())
                .is_some_and(|metadata| wildcard::matches(&metadata.name, &value)),
            _ => false,
        }),
        Method::TestType => test_type(&value, place)?,
        Method::ResourceType => resource_type(&value, place)?,
        Method::Version => version(&value, place)?,
        Method::Config | Method::State | Method::Result | Method::SourceStatus | Method::Selector => Box::new(|_| false),
    })
}

/// The value as text; numbers and booleans of selectors.yml as they are written.
pub(super) fn text_of(criterion: &Criterion) -> Result<String, Box<Diagnostic>> {
    match &criterion.value {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => {
            let message = format!("the method '{}' needs a text as its value", criterion.method.name());
            Err(Box::new(criterion.place.error("E0503", message)))
        }
    }
}

fn fqn(value: &str) -> Matcher<'static> {
    let pattern = NamePattern::new(value);
    Box::new(move |resource| !matches!(resource, Resource::Source(_)) && pattern.selects(resource.fqn(), is_versioned(resource)))
}

fn is_versioned(resource: &Resource) -> bool {
    let Resource::Node(node) = resource else { return false };
    node.model().is_some_and(|model| model.version.is_some())
}

/// `source`, `source.table` or `package.source.table`, each part a pattern.
fn source(value: &str, place: &Place) -> Result<Matcher<'static>, Box<Diagnostic>> {
    let parts: Vec<String> = value.split('.').map(ToString::to_string).collect();
    let (package, source, table) = match parts.as_slice() {
        [source] => ("*".to_string(), source.clone(), "*".to_string()),
        [source, table] => ("*".to_string(), source.clone(), table.clone()),
        [package, source, table] => (package.clone(), source.clone(), table.clone()),
        _ => {
            let message = format!("Invalid source selector value \"{value}\"");
            let help = "write `source:name`, `source:name.table` or `source:package.name.table`";
            return Err(Box::new(place.error("E0503", message).help(help)));
        }
    };
    Ok(Box::new(move |resource| {
        let Resource::Source(found) = resource else { return false };
        wildcard::matches(&found.package_name, &package)
            && wildcard::matches(&found.source_name, &source)
            && wildcard::matches(&found.name, &table)
    }))
}

/// `name` or `package.name` of one kind of resource, each part a pattern.
fn named(value: &str, kind: ResourceType, place: &Place) -> Result<Matcher<'static>, Box<Diagnostic>> {
    let parts: Vec<String> = value.split('.').map(ToString::to_string).collect();
    let (package, name) = match parts.as_slice() {
        [name] => ("*".to_string(), name.clone()),
        [package, name] => (package.clone(), name.clone()),
        _ => {
            let message = format!("Invalid {kind} selector value \"{value}\"");
            return Err(Box::new(place.error("E0503", message).help(format!("write `{kind}:name` or `{kind}:package.name`"))));
        }
    };
    Ok(Box::new(move |resource| {
        resource.resource_type() == kind
            && wildcard::matches(resource.package_name(), &package)
            && wildcard::matches(resource.name(), &name)
    }))
}

/// A path below the project: a file, a folder above it, or the property file that describes it. As dbt looks on the disk of
/// the root project, a package's file counts only where the root has the same path.
fn path(project: &Project, value: &str, place: &Place) -> Result<Matcher<'static>, Box<Diagnostic>> {
    let root = project.root.to_string_lossy();
    let below = value.strip_prefix(&*root).map_or(value, |rest| rest.trim_start_matches('/'));
    if below.is_empty() || below.starts_with('/') {
        let message = format!("the path '{value}' is not below the project");
        return Err(Box::new(place.error("E0503", message).help("write it as seen from the folder of dbt_project.yml")));
    }
    let pattern = PathPattern::new(below);
    let mut present: HashSet<String> = HashSet::from([String::new()]);
    for file in &project.root_package().files {
        let mut path: &str = &file.original_path;
        // A path whose folders are known already needs no further look.
        while present.insert(path.to_string()) {
            let Some((folder, _)) = path.rsplit_once('/') else { break };
            path = folder;
        }
    }
    let root_package = project.root_package().name.clone();
    Ok(Box::new(move |resource| {
        let there = |path: &str| resource.package_name() == &*root_package || present.contains(path);
        let file = resource.original_file_path();
        if there(file) && pattern.names_file(file) {
            return true;
        }
        if patch_path(resource).is_some_and(|described| there(described) && pattern.names_file(described)) {
            return true;
        }
        let mut folders = std::iter::once("").chain(file.match_indices('/').map(|(at, _)| &file[..at]));
        folders.any(|folder| there(folder) && pattern.names_folder(folder))
    }))
}

/// Below its package: the property file that a resource was described in.
fn patch_path(resource: &Resource) -> Option<&str> {
    let path = match resource {
        Resource::Node(node) => node.patch_path.as_deref(),
        Resource::Source(source) => source.patch_path.as_deref(),
        _ => None,
    };
    path.and_then(|path| path.split_once("://")).map(|(_, path)| path)
}

/// `config.key.key:value`: equal to the value there, or in the list there; booleans in any case, `severity` too.
fn config<'a>(keys: &'a [String], wanted: &'a Json) -> Matcher<'a> {
    let any_case = keys == ["severity"];
    Box::new(move |resource| {
        if !matches!(resource, Resource::Node(_) | Resource::Source(_)) || resource.resource_type() == ResourceType::Function {
            return false;
        }
        let Some((first, deeper)) = keys.split_first() else { return false };
        let mut found = resource.config().get(first).or_else(|| resource.config().get(&first.replace('_', "-")));
        for key in deeper {
            found = match found {
                Some(Json::Object(object)) => object.get(key),
                _ => None,
            };
        }
        match found {
            None => false,
            Some(Json::Array(items)) => items.iter().any(|item| same_value(wanted, item, any_case)),
            Some(value) => same_value(wanted, value, any_case),
        }
    })
}

fn same_value(wanted: &Json, found: &Json, any_case: bool) -> bool {
    match (wanted, found) {
        (Json::String(wanted), Json::Bool(found)) => wanted.eq_ignore_ascii_case(if *found { "true" } else { "false" }),
        (Json::String(wanted), Json::String(found)) if any_case => wanted.to_lowercase() == found.to_lowercase(),
        (Json::Number(wanted), Json::Number(found)) => wanted == found || wanted.as_f64() == found.as_f64(),
        _ => wanted == found,
    }
}

fn test_type(value: &str, place: &Place) -> Result<Matcher<'static>, Box<Diagnostic>> {
    let (generic, singular, unit) = match value {
        "generic" | "schema" => (true, false, false),
        "singular" => (false, true, false),
        "data" => (true, true, false),
        "unit" => (false, false, true),
        _ => {
            let message =
                format!("Invalid test type selector {value}: expected \"generic\", \"singular\", \"unit\", or \"data\"");
            return Err(Box::new(place.error("E0503", message)));
        }
    };
    Ok(Box::new(move |resource| match resource {
        Resource::UnitTest(_) => unit,
        Resource::Node(node) => node.test().is_some_and(|test| if test.metadata.is_some() { generic } else { singular }),
        _ => false,
    }))
}

fn resource_type(value: &str, place: &Place) -> Result<Matcher<'static>, Box<Diagnostic>> {
    let Ok(kind) = value.parse::<ResourceType>() else {
        return Err(Box::new(place.error("E0503", format!("Invalid resource_type selector \"{value}\""))));
    };
    Ok(Box::new(move |resource| resource.resource_type() == kind))
}

fn version(value: &str, place: &Place) -> Result<Matcher<'static>, Box<Diagnostic>> {
    if !["latest", "prerelease", "old", "none"].contains(&value) {
        let message =
            format!("Invalid version type selector {value}: expected one of: \"latest\", \"prerelease\", \"old\", or \"none\"");
        return Err(Box::new(place.error("E0503", message)));
    }
    let value = value.to_string();
    Ok(Box::new(move |resource| {
        let Resource::Node(node) = resource else { return false };
        let Some(model) = node.model() else { return false };
        match (value.as_str(), &model.version, &model.latest_version) {
            ("none", version, _) => version.is_none(),
            ("latest", Some(version), latest) => latest.as_ref() == Some(version),
            ("prerelease", Some(version), Some(latest)) => compare(version, latest) == Ordering::Greater,
            ("old", Some(version), Some(latest)) => compare(version, latest) == Ordering::Less,
            _ => false,
        }
    }))
}

/// Versions compare as numbers where both are, else as texts.
fn compare(left: &VersionText, right: &VersionText) -> Ordering {
    match (left.text.parse::<f64>(), right.text.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        _ => left.text.cmp(&right.text),
    }
}
