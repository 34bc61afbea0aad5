{#
  A snapshot strategy is a macro `snapshot_<name>_strategy` that says how to recognise a row and its changes. It
  gives back a mapping of SQL: unique_key, updated_at, row_changed, scd_id; and hard_deletes (with
  invalidate_hard_deletes, which is what that was before it had three values). A project adds one by writing it.
#}

{# The macro of a strategy, by its name or by package and name. #}
{% macro strategy_dispatch(name) -%}
  {%- set parts = name.split('.', 1) -%}
  {%- set package = parts[0] if parts | length == 2 else none -%}
  {%- if package is not none and package not in context -%}
    {%- do exceptions.raise_compiler_error("The snapshot strategy '" ~ name ~ "' names a package that is not there") -%}
  {%- endif -%}

  {%- set namespace_ = context if package is none else context[package] -%}
  {%- set macro_name = 'snapshot_' ~ parts | last ~ '_strategy' -%}
  {%- if macro_name not in namespace_ -%}
    {%- do exceptions.raise_compiler_error("There is no snapshot strategy '" ~ name ~ "': no macro " ~ macro_name) -%}
  {%- endif -%}
  {{ return(namespace_[macro_name]) }}
{%- endmacro %}


{# A row version's id: a hash over its key and its time. #}
{% macro snapshot_hash_arguments(args) -%}
  {{ adapter.dispatch('snapshot_hash_arguments', 'dbt')(args) }}
{%- endmacro %}

{% macro default__snapshot_hash_arguments(args) -%}
  md5({% for arg in args %}coalesce(cast({{ arg }} as varchar ), ''){{ " || '|' || " if not loop.last else ' ' }}{% endfor %})
{%- endmacro %}


{#
  A row has changed if its updated_at is later than the version in the table began. The version's own start is
  compared, not a copy of updated_at: a snapshot that was once of the check strategy need not have that column.
#}
{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
  {%- set updated_at = config.get('updated_at') -%}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- do return(_snapshot_strategy(
    updated_at, '(' ~ snapshotted_rel ~ '.' ~ columns.dbt_valid_from ~ ' < ' ~ current_rel ~ '.' ~ updated_at ~ ')'
  )) -%}
{% endmacro %}


{# A row has changed if one of the checked columns has, from and to null included, or if there is a new column. #}
{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
  {%- set column_added, check_cols = snapshot_check_all_get_existing_columns(node, target_exists, config.get('check_cols')) -%}
  {%- set row_changed -%}
    (
    {%- if column_added -%}
      {{ get_true_sql() }}
    {%- else -%}
      {%- for column in check_cols -%}
        {%- set old = snapshotted_rel ~ '.' ~ column -%}
        {%- set new = current_rel ~ '.' ~ column -%}
        {{ old }} != {{ new }}
        or
        (
            (({{ old }} is null) and not ({{ new }} is null))
            or
            ((not {{ old }} is null) and ({{ new }} is null))
        ) {{- ' or ' if not loop.last }}
      {%- endfor -%}
    {%- endif -%}
    )
  {%- endset -%}
  {%- do return(_snapshot_strategy(config.get('updated_at') or snapshot_get_time(), row_changed)) -%}
{% endmacro %}

{%- macro _snapshot_strategy(updated_at, row_changed) -%}
  {%- set unique_key = config.get('unique_key') -%}
  {%- set hard_deletes = adapter.get_hard_deletes_behavior(config) -%}
  {{ return({
    'unique_key': unique_key,
    'updated_at': updated_at,
    'row_changed': row_changed,
    'scd_id': snapshot_hash_arguments(api.Relation.scd_args(unique_key, updated_at)),
    'invalidate_hard_deletes': hard_deletes == 'invalidate',
    'hard_deletes': hard_deletes,
  }) }}
{%- endmacro -%}

{#
  (whether the query has checked columns that the table lacks, the quoted names of those in both). The query is
  asked for its names, as configured ones may differ in case. Before the table exists nothing is compared.
#}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) -%}
  {%- if not target_exists -%}
    {%- do return((false, [])) -%}
  {%- endif -%}

  {%- if check_cols_config == 'all' -%}
    {%- set wanted = get_columns_in_query(node['compiled_code']) -%}
  {%- elif check_cols_config is iterable and check_cols_config | length > 0 -%}
    {#- On lines of its own: the query may end in a comment. -#}
    {%- set narrowed -%}
      select {{ check_cols_config | join(', ') }} from (
          {{ node['compiled_code'] }}
      ) subq
    {%- endset -%}
    {%- set wanted = get_columns_in_query(narrowed) -%}
  {%- else -%}
    {%- do exceptions.raise_compiler_error("check_cols is 'all' or a list of columns, not " ~ check_cols_config) -%}
  {%- endif -%}

  {%- set table = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
  {%- set present = adapter.get_columns_in_relation(table) | map(attribute='name') | list -%}
  {%- set shared = [] -%}
  {%- for column in wanted if column in present -%}
    {%- do shared.append(adapter.quote(column)) -%}
  {%- endfor -%}
  {{ return((shared | length < wanted | length, shared)) }}
{%- endmacro %}


{% macro snapshot_string_as_time(timestamp) -%}
  {{ adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp) }}
{%- endmacro %}

{% macro default__snapshot_string_as_time(timestamp) %}
  {%- do exceptions.raise_not_implemented(_lacking('snapshot_string_as_time')) -%}
{% endmacro %}
