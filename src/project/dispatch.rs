//! Where `adapter.dispatch` looks for a macro.

use super::Project;

impl Project {
    /// The packages to search for a macro of `namespace`, in order; None stands for "as the calling package sees it". The root's
    /// `dispatch:` decides, else the root comes before an installed package; built-in names are looked up as usual.
    pub fn dispatch_packages<'a>(&'a self, namespace: Option<&'a str>) -> Vec<Option<&'a str>> {
        let Some(namespace) = namespace else { return vec![None] };
        let root = self.root_package();
        let configured = root.config.dispatch.iter().find(|(name, _)| name == namespace).map(|(_, order)| order);
        match configured.filter(|order| !order.is_empty()) {
            Some(order) => order.iter().map(|package| Some(package.as_str())).collect(),
            None if self.package(namespace).is_some() => vec![Some(&*root.name), Some(namespace)],
            None => vec![None],
        }
    }

    /// Prefixes of a dispatched macro's implementations, in order: `duckdb`, `default`.
    pub fn dispatch_prefixes(&self) -> Vec<&str> {
        if self.profile.adapter.is_empty() { vec!["default"] } else { vec![&self.profile.adapter, "default"] }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::project::{Package, Profile, ProjectConfig};

    #[test]
    fn the_root_may_set_the_order() {
        let package = |name: &str, dispatch: Vec<(String, Vec<String>)>| {
            let config = ProjectConfig { dispatch, ..ProjectConfig::default() };
            Arc::new(Package { name: name.into(), root: name.into(), builtin: false, config, files: Vec::new() })
        };
        let order = vec![("dbt_utils".to_owned(), vec!["shop".to_owned(), "spark_utils".to_owned(), "dbt_utils".to_owned()])];
        let project = Project {
            packages: vec![package("shop", order), package("dbt_utils", Vec::new()), package("kit", Vec::new())],
            profile: Profile { adapter: "duckdb".into(), ..Profile::default() },
            ..Project::default()
        };
        assert_eq!(project.dispatch_packages(None), [None]);
        assert_eq!(project.dispatch_packages(Some("dbt_utils")), [Some("shop"), Some("spark_utils"), Some("dbt_utils")]);
        assert_eq!(project.dispatch_packages(Some("kit")), [Some("shop"), Some("kit")]);
        assert_eq!(project.dispatch_packages(Some("unknown")), [None]);
        assert_eq!(project.dispatch_prefixes(), ["duckdb", "default"]);
    }
}
