{#
  MERGE. The plain form updates and inserts by column name; the merge_* configs narrow it, and `merge_clauses`
  replaces its clauses altogether.
#}

{% macro duckdb__get_incremental_merge_sql(args_dict) %}
  {{ return(duckdb__get_merge_sql(
    args_dict['target_relation'], args_dict['temp_relation'], args_dict['unique_key'], args_dict['dest_columns'],
    normalize_incremental_predicates(args_dict.get('incremental_predicates'))
  )) }}
{% endmacro %}

{% macro duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
  {%- set predicates = normalize_incremental_predicates(incremental_predicates) -%}
  {%- do validate_merge_config(config, target) -%}

  {%- set columns = config.get('merge_update_columns', []) -%}
  {%- set excluded = config.get('merge_exclude_columns', []) -%}
  {%- set expressions = config.get('merge_update_set_expressions', {}) -%}
  {%- set standard = merge_clause_defaults(
    config.get('merge_update_condition', none), config.get('merge_insert_condition', none), columns, excluded, expressions
  ) -%}
  {%- set update = 'when_matched_update_explicit' if columns or excluded or expressions else 'when_matched_update_by_name' -%}
  {%- set clauses = config.get('merge_clauses', {}) -%}
  {%- set returning = config.get('merge_returning_columns', []) -%}

    {{ config.get('sql_header', none) or '' }}

    MERGE INTO {{ target }} AS DBT_INTERNAL_DEST
        USING {{ source }} AS DBT_INTERNAL_SOURCE
        {{ duckdb__merge_join_clause(unique_key, config.get('merge_on_using_columns', []), predicates) }}

    {%- for clause in clauses.get('when_matched', [standard[update]]) %}
    WHEN MATCHED {{ _duckdb_merge_clause(clause, dest_columns, true) }}
    {%- endfor %}

    {%- for clause in clauses.get('when_not_matched', [standard.when_not_matched_insert_by_name]) %}
    WHEN NOT MATCHED {{ 'BY ' ~ clause.get('by') | upper if clause.get('by') }} {{ _duckdb_merge_clause(clause, dest_columns, false) }}
    {%- endfor %}

    {%- if returning %}
    RETURNING {{ returning if returning is string else returning | join(', ') }}
    {%- endif %}
{% endmacro %}


{# What to join on. With USING the key plays no part, and ON holds only the predicates. #}
{% macro duckdb__merge_join_clause(unique_key, merge_on_using_columns, incremental_predicates) -%}
  {%- set conditions = [] -%}
  {%- if not merge_on_using_columns -%}
    {%- for key in ([unique_key] if unique_key is string or unique_key is mapping or unique_key is not sequence else unique_key) if key -%}
      {%- do conditions.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' = DBT_INTERNAL_DEST.' ~ key) -%}
    {%- else -%}
      {%- do conditions.append('FALSE') -%}
    {%- endfor -%}
  {%- endif -%}
  {%- do conditions.extend(incremental_predicates or []) -%}
  {{ 'USING (' ~ merge_on_using_columns | join(', ') ~ ')' if merge_on_using_columns }}
  {{ 'ON (' ~ conditions | join(') AND (') ~ ')' if conditions }}
{%- endmacro %}


{# From the condition on: `[AND …] THEN <action>`. Only the matched side can update from the source's columns. #}
{%- macro _duckdb_merge_clause(clause, dest_columns, matched) -%}
  {%- set condition = clause.get('condition') -%}
  {%- if condition -%}
    AND {{ condition if condition is string else '(' ~ condition | join(') AND (') ~ ')' }}
  {%- endif %} THEN
  {% set action = clause.get('action') -%}
  {%- if action == 'delete' -%}
    DELETE
  {%- elif action == 'do_nothing' -%}
    DO NOTHING
  {%- elif action == 'error' -%}
    ERROR {{ "'" ~ clause.get('error_message') | replace("'", "''") ~ "'" if clause.get('error_message') }}
  {%- elif action == 'update' and matched -%}
    {{ _duckdb_merge_update(clause, dest_columns) }}
  {%- elif action == 'update' -%}
    UPDATE SET {{ _duckdb_merge_assignments(clause.get('set_expressions', {}), []) }}
  {%- elif action == 'insert' and not matched -%}
    {{ _duckdb_merge_insert(clause) }}
  {%- endif -%}
{%- endmacro -%}

{%- macro _duckdb_merge_update(clause, dest_columns) -%}
  {%- set mode = clause.get('mode') -%}
  {%- if mode == 'by_name' -%}
    UPDATE BY NAME
  {%- elif mode == 'by_position' -%}
    UPDATE BY POSITION
  {%- elif mode == 'star' -%}
    UPDATE SET *
  {%- elif mode == 'explicit' -%}
    {%- set choice = clause.get('update', {}) -%}
    {%- set expressions = choice.get('set_expressions', {}) -%}
    {%- set copied = [] -%}
    {%- for column in get_merge_update_columns(choice.get('include', []), choice.get('exclude', []), dest_columns) -%}
      {%- if column.replace('"', '').replace("'", '') not in expressions -%}
        {%- do copied.append(column) -%}
      {%- endif -%}
    {%- endfor -%}
    UPDATE SET {{ _duckdb_merge_assignments(expressions, copied) }}
  {%- endif -%}
{%- endmacro -%}

{%- macro _duckdb_merge_assignments(expressions, copied_columns) -%}
  {%- set assignments = [] -%}
  {%- for column, expression in expressions.items() -%}
    {%- do assignments.append(column ~ ' = ' ~ expression) -%}
  {%- endfor -%}
  {%- for column in copied_columns -%}
    {%- do assignments.append(column ~ ' = DBT_INTERNAL_SOURCE.' ~ column) -%}
  {%- endfor -%}
  {{ assignments | join(', ') }}
{%- endmacro -%}

{%- macro _duckdb_merge_insert(clause) -%}
  {%- set mode = clause.get('mode') -%}
  {%- if mode == 'by_name' -%}
    INSERT BY NAME
  {%- elif mode == 'by_position' -%}
    INSERT BY POSITION
  {%- elif mode == 'star' -%}
    INSERT *
  {%- elif mode == 'explicit' -%}
    {%- set listed = clause.get('insert', {}) -%}
    INSERT ({{ listed.get('columns', []) | join(', ') }}) VALUES ({{ listed.get('values', []) | join(', ') }})
  {%- endif -%}
{%- endmacro -%}


{# The clauses in force where `merge_clauses` says nothing, in the form that it has. #}
{% macro merge_clause_defaults(
    merge_update_condition,
    merge_insert_condition,
    merge_update_columns=[],
    merge_exclude_columns=[],
    merge_update_set_expressions={}
) -%}
  {%- set chosen = {
    'include': merge_update_columns, 'exclude': merge_exclude_columns, 'set_expressions': merge_update_set_expressions
  } -%}
  {{ return({
    'when_matched_update_by_name': {'action': 'update', 'condition': merge_update_condition, 'mode': 'by_name'},
    'when_matched_update_explicit': {'action': 'update', 'condition': merge_update_condition, 'mode': 'explicit', 'update': chosen},
    'when_not_matched_insert_by_name': {'action': 'insert', 'condition': merge_insert_condition, 'mode': 'by_name'},
  }) }}
{%- endmacro %}
