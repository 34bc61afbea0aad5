//! `ls` of one project by many selections, against what dbt 1.12 lists: `tests/projects/selection-language/ls.txt` has a
//! line `# <arguments>` for each, and below it the lines that come.

use std::path::Path;
use std::sync::Arc;

use lineal::fs::Disk;
use lineal::graph::{self, Graph, IndirectSelection, ListOutput, SelectionRequest};
use lineal::manifest::{Manifest, ResourceType};
use lineal::project::{self, DepsOptions, LoadOptions, Project};
use lineal::{parse, resolve};

use crate::program::copy;

#[test]
fn selections_list_what_dbt_lists() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/selection-language");
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let folder = scratch.path().canonicalize().expect("it is there");
    copy(&case, &folder);
    let (project, manifest) = read(&folder);
    let (graph, faults) = Graph::new(&manifest);
    assert!(faults.is_empty(), "{faults:?}");
    let listed = include_str!("../projects/selection-language/ls.txt");
    let mut different = Vec::new();
    let mut cases = 0;
    for block in listed.split("# ").filter(|block| !block.is_empty()) {
        let mut lines = block.lines();
        let arguments = lines.next().unwrap_or_default();
        let expected: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        let (request, form) = request(arguments);
        let (selection, faults) = graph::select(&project, &manifest, &graph, &request);
        assert!(!faults.iter().any(lineal::diagnostic::Diagnostic::is_error), "{arguments}: {faults:?}");
        let found = graph::list(&manifest, &selection, form, &[]);
        if found != expected {
            different.push(format!("{arguments}\n  expected {expected:?}\n  listed   {found:?}"));
        }
        cases += 1;
    }
    assert!(cases > 100, "only {cases} cases were read");
    assert!(different.is_empty(), "{} of {cases} differ:\n{}", different.len(), different.join("\n"));
}

/// The project with its package installed, and its manifest.
fn read(folder: &Path) -> (Arc<Project>, Manifest) {
    let load = |packages_required| {
        let options = LoadOptions {
            project_dir: Some(folder.to_path_buf()),
            profiles_dir: Some(folder.to_path_buf()),
            profile_required: true,
            packages_required,
            ..LoadOptions::default()
        };
        let (project, faults) = project::load(&Disk, folder, &options);
        project.unwrap_or_else(|| panic!("{faults:?}"))
    };
    let faults = project::deps(&Disk, &load(false), &DepsOptions::default(), &mut |_| {});
    assert!(faults.is_empty(), "{faults:?}");
    let project = Arc::new(load(true));
    let (parsed, faults) = parse::parse(&project);
    let parsed = parsed.unwrap_or_else(|| panic!("{faults:?}"));
    let (manifest, faults) = resolve::resolve(&project, parsed);
    (project, manifest.unwrap_or_else(|| panic!("{faults:?}")))
}

/// What the command line would ask for, and the form of the output.
fn request(arguments: &str) -> (SelectionRequest, ListOutput) {
    use ResourceType as T;
    let mut request = SelectionRequest { include_empty: true, ..SelectionRequest::default() };
    let mut form = ListOutput::Selector;
    let mut types = vec![
        T::Model,
        T::Snapshot,
        T::Seed,
        T::Test,
        T::Source,
        T::Exposure,
        T::Metric,
        T::SavedQuery,
        T::SemanticModel,
        T::UnitTest,
        T::Function,
    ];
    let mut flag = "";
    let mut asked = Vec::new();
    for word in arguments.split(' ') {
        if word.starts_with("--") {
            flag = word;
            continue;
        }
        let kind = word.parse::<T>();
        match flag {
            "--select" => request.select.push(word.into()),
            "--models" => {
                request.select.push(word.into());
                types = vec![T::Model];
            }
            "--exclude" => request.exclude.push(word.into()),
            "--selector" => request.selector = Some(word.into()),
            "--output" => form = ListOutput::named(word).expect("a form"),
            "--indirect-selection" => request.indirect = IndirectSelection::named(word),
            "--resource-type" if word == "all" => types.push(T::Analysis),
            "--resource-type" => asked.extend(kind),
            "--exclude-resource-type" => types.retain(|other| Ok(*other) != kind),
            other => panic!("no such flag here: {other}"),
        }
    }
    request.resource_types = Some(if asked.is_empty() { types } else { asked });
    (request, form)
}
