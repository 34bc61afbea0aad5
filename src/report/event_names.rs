//! dbt's names for what can be a warning, with their codes: what `--warn-error-options` selects by, and what the JSON log says.

/// (name, code), sorted by name.
const NAMES: &[(&str, &str)] = &[
    ("AdapterDeprecationWarning", "D005"),
    ("AdapterEventWarning", "E003"),
    ("AdapterRegistered", "E034"),
    ("ArgumentsPropertyInGenericTestDeprecation", "D038"),
    ("BehaviorChangeEvent", "D000"),
    ("CatalogGenerationError", "E040"),
    ("CollectFreshnessReturnSignature", "D012"),
    ("ConfigDataPathDeprecation", "D004"),
    ("ConfigLogPathDeprecation", "D010"),
    ("ConfigSourcePathDeprecation", "D003"),
    ("ConfigTargetPathDeprecation", "D011"),
    ("ConstraintNotEnforced", "E048"),
    ("ConstraintNotSupported", "E049"),
    ("CustomKeyInConfigDeprecation", "D026"),
    ("CustomKeyInObjectDeprecation", "D027"),
    ("CustomOutputPathInSourceFreshnessDeprecation", "D029"),
    ("CustomTopLevelKeyDeprecation", "D025"),
    ("DeprecatedModel", "I065"),
    ("DeprecatedReference", "I067"),
    ("DeprecationsSummary", "D028"),
    ("DepsScrubbedPackageName", "M035"),
    ("DepsUnpinned", "M029"),
    ("DuplicateNameDistinctNodeTypesDeprecation", "D040"),
    ("DuplicateYAMLKeysDeprecation", "D024"),
    ("EnvironmentVariableNamespaceDeprecation", "D036"),
    ("EnvironmentVariableRenamed", "D009"),
    ("ExposureNameDeprecation", "D007"),
    ("FreshnessConfigProblem", "I073"),
    ("GenerateSchemaNameNullValueDeprecation", "D044"),
    ("GenericJSONSchemaValidationDeprecation", "D022"),
    ("GenericSemanticLayerDeprecation", "D042"),
    ("GetMetaKeyWarning", "D041"),
    ("InternalDeprecation", "D008"),
    ("InvalidConcurrentBatchesConfig", "I075"),
    ("InvalidMacroAnnotation", "I076"),
    ("InvalidValueForField", "I008"),
    ("JinjaLogWarning", "I061"),
    ("LogBatchResult", "Q046"),
    ("LogFreshnessResult", "Q018"),
    ("LogFunctionResult", "Q047"),
    ("LogModelResult", "Q012"),
    ("LogNodeResult", "Q008"),
    ("LogOverloadResult", "Q049"),
    ("LogSeedResult", "Q016"),
    ("LogSnapshotResult", "Q015"),
    ("LogTestResult", "Q007"),
    ("MFConverterIssue", "I078"),
    ("MFCumulativeTypeParamsDeprecation", "D019"),
    ("MFTimespineWithoutYamlConfigurationDeprecation", "D018"),
    ("MacroNotFoundForPatch", "I059"),
    ("MetricAttributesRenamed", "D006"),
    ("MicrobatchMacroOutsideOfBatchesDeprecation", "D020"),
    ("MicrobatchModelNoEventTimeInputs", "I074"),
    ("MissingArgumentsPropertyInGenericTestDeprecation", "D039"),
    ("MissingPlusPrefixDeprecation", "D037"),
    ("ModelParamUsageDeprecation", "D032"),
    ("ModulesItertoolsUsageDeprecation", "D034"),
    ("NoNodeForYamlKey", "I058"),
    ("NoNodesForSelectionCriteria", "M030"),
    ("NoNodesSelected", "Q038"),
    ("NodeNotFoundOrDisabled", "I060"),
    ("NothingToDo", "Q035"),
    ("PackageInstallPathDeprecation", "D002"),
    ("PackageMaterializationOverrideDeprecation", "D016"),
    ("PackageNodeDependsOnRootProjectNode", "I077"),
    ("PackageRedirectDeprecation", "D001"),
    ("ProjectFlagsMovedDeprecation", "D013"),
    ("PropertyMovedToConfigDeprecation", "D030"),
    ("ResourceNamesWithSpacesDeprecation", "D015"),
    ("RunResultWarning", "Z021"),
    ("RunResultWarningMessage", "Z046"),
    ("SeedExceedsLimitAndPathChanged", "I054"),
    ("SeedExceedsLimitChecksumChanged", "I055"),
    ("SeedExceedsLimitSamePath", "I053"),
    ("SeedIncreased", "I052"),
    ("SelectExcludeIgnoredWithSelectorWarning", "Z064"),
    ("SemanticValidationFailure", "I070"),
    ("SnapshotTimestampWarning", "Q043"),
    ("SourceFreshnessProjectHooksNotRun", "D017"),
    ("SourceOverrideDeprecation", "D035"),
    ("SpacesInResourceNameDeprecation", "D014"),
    ("TestsConfigDeprecation", "D012"),
    ("TimeDimensionsRequireGranularityDeprecation", "D041"),
    ("UnexpectedJinjaBlockDeprecation", "D023"),
    ("UnsupportedConstraintMaterialization", "I068"),
    ("UnusedResourceConfigPath", "I051"),
    ("UnusedTables", "I056"),
    ("UnversionedBreakingChange", "I071"),
    ("UpcomingReferenceDeprecation", "I066"),
    ("V2ParserEnd", "Q051"),
    ("ValidationWarning", "I009"),
    ("WEOIncludeExcludeDeprecation", "D031"),
    ("WarnStateTargetEqual", "I072"),
    ("WrongResourceSchemaFile", "I057"),
];

/// dbt's code for an event's name.
pub(super) fn code(name: &str) -> Option<&'static str> {
    NAMES.binary_search_by_key(&name, |(known, _)| *known).ok().map(|at| NAMES[at].1)
}

/// Deprecations are reported once each and summed up at the end; a group of their own for `--warn-error-options`.
pub(super) fn is_deprecation(name: &str) -> bool {
    // A model's own deprecation date is the project's matter, told in full.
    let of_dbt = name.ends_with("Deprecation") && name != "UpcomingReferenceDeprecation";
    of_dbt || matches!(name, "MetricAttributesRenamed" | "EnvironmentVariableRenamed")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted_and_unique() {
        assert!(super::NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(super::code("NoNodesForSelectionCriteria"), Some("M030"));
        assert_eq!(super::code("Nonsense"), None);
    }
}
