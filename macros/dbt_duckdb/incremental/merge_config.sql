{# Checking the merge configs. Every fault is collected, and all are reported at once. #}

{% macro validate_merge_config(config, target_relation=none) %}
  {%- set errors = [] -%}
  {%- set types = {
    'merge_update_condition': 'string',
    'merge_insert_condition': 'string',
    'merge_on_using_columns': 'list',
    'merge_update_columns': 'list',
    'merge_update_set_expressions': 'mapping',
    'merge_exclude_columns': 'list',
    'merge_returning_columns': 'list',
  } -%}
  {%- for name, type in types.items() -%}
    {%- set value = config.get(name) -%}
    {%- if type == 'string' -%}
      {%- do validate_string_field(value, name, errors) -%}
    {%- elif type == 'list' -%}
      {%- do validate_string_list_field(value, name, errors) -%}
    {%- else -%}
      {%- do validate_dict_field(value, name, errors) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- do validate_merge_clauses(config, types, errors) -%}
  {%- if not errors -%}
    {%- do validate_ducklake_restrictions(config, target_relation, errors) -%}
  {%- endif -%}
  {%- if errors -%}
    {%- do exceptions.raise_compiler_error('MERGE configuration errors:\n' ~ errors | join('\n')) -%}
  {%- endif -%}
{% endmacro %}


{# `merge_clauses` has to be well formed, and leaves no room for the configs that shape the standard clauses. #}
{%- macro validate_merge_clauses(config, base_configuration_fields, errors) -%}
  {%- set clauses = config.get('merge_clauses') -%}
  {%- if clauses is none -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- if clauses is not mapping -%}
    {%- do errors.append('merge_clauses must be a dictionary, found: ' ~ clauses) -%}
    {%- do return(none) -%}
  {%- endif -%}

  {%- if 'when_matched' not in clauses and 'when_not_matched' not in clauses -%}
    {%- do errors.append("merge_clauses must contain at least one of 'when_matched' or 'when_not_matched'") -%}
  {%- endif -%}
  {%- for side in ['when_matched', 'when_not_matched'] if side in clauses -%}
    {%- do validate_merge_clause_list(clauses, side, errors) -%}
  {%- endfor -%}

  {%- set useless = [] -%}
  {%- for name, type in base_configuration_fields.items() if name not in ['merge_on_using_columns', 'merge_returning_columns'] -%}
    {%- set value = config.get(name) -%}
    {%- if value is not none and (type == 'string' or value | length > 0) -%}
      {%- do useless.append(name) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if useless -%}
    {%- do errors.append(
      'With merge_clauses these basic merge configurations will be ignored; remove them: ' ~ useless | join(', ')
    ) -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro validate_merge_clause_list(merge_clauses, clause_type, errors) -%}
  {%- set clauses = merge_clauses.get(clause_type) -%}
  {%- if clauses is string or clauses is mapping or clauses is not sequence -%}
    {%- do errors.append('merge_clauses.' ~ clause_type ~ ' must be a list') -%}
  {%- elif not clauses -%}
    {%- do errors.append('merge_clauses.' ~ clause_type ~ ' must contain at least one element') -%}
  {%- else -%}
    {%- for clause in clauses if clause is not mapping -%}
      {%- do errors.append('merge_clauses.' ~ clause_type ~ ' elements must be dictionaries, found: ' ~ clause) -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro -%}

{# DuckLake returns no rows from a merge, and does at most one update or delete in it. #}
{%- macro validate_ducklake_restrictions(config, target_relation, errors) -%}
  {%- if not target_relation or not adapter.is_ducklake(target_relation) -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- if config.get('merge_returning_columns') -%}
    {%- do errors.append('DuckLake MERGE restrictions: merge_returning_columns is not supported') -%}
  {%- endif -%}
  {%- set configured = config.get('merge_clauses') or {} -%}
  {%- set changes = [] -%}
  {%- for clause in configured.get('when_matched', []) + configured.get('when_not_matched', []) if clause.get('action') in ['update', 'delete'] -%}
    {%- do changes.append(clause) -%}
  {%- endfor -%}
  {%- if changes | length > 1 -%}
    {%- do errors.append(
      'DuckLake MERGE restrictions: one update or delete is all that merge_clauses may hold. Found '
      ~ changes | length ~ ' UPDATE/DELETE actions'
    ) -%}
  {%- endif -%}
{%- endmacro -%}


{%- macro validate_string_field(field_value, field_name, errors) -%}
  {%- if field_value is not none and field_value is not string -%}
    {%- do errors.append(field_name ~ ' must be a string, found: ' ~ field_value) -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro validate_string_list_field(field_value, field_name, errors) -%}
  {%- if field_value is none -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- if field_value is string or field_value is mapping or field_value is not sequence -%}
    {%- do errors.append(field_name ~ ' must be a list') -%}
  {%- else -%}
    {%- for item in field_value if item is not string -%}
      {%- do errors.append(field_name ~ ' must contain only string values, found: ' ~ item) -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro validate_dict_field(field_value, field_name, errors) -%}
  {%- if field_value is not none and field_value is not mapping -%}
    {%- do errors.append(field_name ~ ' must be a dictionary, found: ' ~ field_value) -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro normalize_incremental_predicates(incremental_predicates) -%}
  {{ return(normalize_string_or_list(incremental_predicates, 'incremental_predicates')) }}
{%- endmacro -%}
