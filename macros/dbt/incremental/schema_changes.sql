{# `on_schema_change`: what to do when an incremental model's query no longer has its table's columns. #}

{% macro incremental_validate_on_schema_change(on_schema_change, default='ignore') %}
  {%- if on_schema_change in ['ignore', 'fail', 'append_new_columns', 'sync_all_columns'] -%}
    {%- do return(on_schema_change) -%}
  {%- endif -%}
  {%- do log('on_schema_change has no value ' ~ on_schema_change ~ ': ' ~ default ~ ' is used') -%}
  {{ return(default) }}
{% endmacro %}


{#
  Acts on the difference and gives back the columns to write: the new rows' own. An empty answer means that nobody
  looked, and that the table's columns are the ones.
#}
{% macro process_schema_changes(on_schema_change, source_relation, target_relation) %}
  {{ return(adapter.dispatch('process_schema_changes', 'dbt')(on_schema_change, source_relation, target_relation)) }}
{% endmacro %}

{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
  {%- if on_schema_change == 'ignore' -%}
    {%- do return({}) -%}
  {%- endif -%}

  {%- set changes = check_for_schema_changes(source_relation, target_relation) -%}
  {%- if changes['schema_changed'] and on_schema_change == 'fail' -%}
    {%- do exceptions.raise_compiler_error(
      'The columns of the query and of the table are out of sync, and on_schema_change is fail.'
      ~ _describe_schema_changes(changes)
      ~ '\nRun it with --full-refresh to make the table anew, change the table by hand, or let '
      ~ '`on_schema_change: append_new_columns` or `sync_all_columns` change it.'
    ) -%}
  {%- elif changes['schema_changed'] -%}
    {%- do sync_column_schemas(on_schema_change, target_relation, changes) -%}
  {%- endif -%}
  {{ return(changes['source_columns']) }}
{% endmacro %}


{% macro check_for_schema_changes(source_relation, target_relation) %}
  {{ return(adapter.dispatch('check_for_schema_changes', 'dbt')(source_relation, target_relation)) }}
{% endmacro %}

{% macro default__check_for_schema_changes(source_relation, target_relation) %}
  {%- set source_columns = adapter.get_columns_in_relation(source_relation) -%}
  {%- set target_columns = adapter.get_columns_in_relation(target_relation) -%}
  {%- set added = diff_columns(source_columns, target_columns) -%}
  {%- set removed = diff_columns(target_columns, source_columns) -%}
  {%- set retyped = diff_column_data_types(source_columns, target_columns) -%}
  {%- set changes = {
    'schema_changed': (added or removed or retyped) | length > 0,
    'source_not_in_target': added,
    'target_not_in_source': removed,
    'source_columns': source_columns,
    'target_columns': target_columns,
    'new_target_types': retyped,
  } -%}
  {%- do log('In ' ~ target_relation ~ ': columns changed: ' ~ changes['schema_changed'] ~ _describe_schema_changes(changes)) -%}
  {{ return(changes) }}
{% endmacro %}

{%- macro _describe_schema_changes(changes) %}
  only in the query: {{ changes['source_not_in_target'] | map(attribute='name') | join(', ') }}
  only in the table: {{ changes['target_not_in_source'] | map(attribute='name') | join(', ') }}
  of another type: {{ changes['new_target_types'] | map(attribute='column_name') | join(', ') }}
{%- endmacro -%}


{# `append_new_columns` only adds; `sync_all_columns` removes and changes types as well. #}
{% macro sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
  {{ return(adapter.dispatch('sync_column_schemas', 'dbt')(on_schema_change, target_relation, schema_changes_dict)) }}
{% endmacro %}

{% macro default__sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
  {%- set added = schema_changes_dict['source_not_in_target'] -%}
  {%- if on_schema_change == 'append_new_columns' -%}
    {%- if added -%}
      {%- do alter_relation_add_remove_columns(target_relation, added, none) -%}
    {%- endif -%}
  {%- elif on_schema_change == 'sync_all_columns' -%}
    {%- set removed = schema_changes_dict['target_not_in_source'] -%}
    {%- if added or removed -%}
      {%- do alter_relation_add_remove_columns(target_relation, added, removed) -%}
    {%- endif -%}
    {%- for change in schema_changes_dict['new_target_types'] -%}
      {%- do alter_column_type(target_relation, change['column_name'], change['new_type']) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- do log('In ' ~ target_relation ~ ': columns brought into line by ' ~ on_schema_change ~ _describe_schema_changes(schema_changes_dict)) -%}
{% endmacro %}
