{# Smaller steps of the snapshot materialization. #}

{# New columns of the query become columns of the table. #}
{% macro create_columns(relation, columns) %}
  {{ adapter.dispatch('create_columns', 'dbt')(relation, columns) }}
{% endmacro %}

{% macro default__create_columns(relation, columns) %}
  {%- for column in columns -%}
    {%- call statement() -%}
      alter table {{ relation.render() }} add column {{ adapter.quote(column.name) }} {{ column.expanded_data_type }};
    {%- endcall -%}
  {%- endfor -%}
{% endmacro %}

{# After the commit, for warehouses where the staging relation does not go by itself. #}
{% macro post_snapshot(staging_relation) %}
  {{ adapter.dispatch('post_snapshot', 'dbt')(staging_relation) }}
{% endmacro %}

{% macro default__post_snapshot(staging_relation) %}
{% endmacro %}

{% macro get_true_sql() %}
  {{ adapter.dispatch('get_true_sql', 'dbt')() }}
{% endmacro %}

{% macro default__get_true_sql() %}
  {{ return('TRUE') }}
{% endmacro %}


{# Warns if the times that the snapshot's rows carry are not of the type that the warehouse's clock has. #}
{% macro check_time_data_types(sql) %}
  {%- set stored = get_updated_at_column_data_type(sql) -%}
  {%- set clock = get_snapshot_get_time_data_type() -%}
  {%- if stored is not none and clock is not none and stored != clock and exceptions.warn_snapshot_timestamp_data_types -%}
    {%- do exceptions.warn_snapshot_timestamp_data_types(clock, stored) -%}
  {%- endif -%}
{% endmacro %}

{% macro get_updated_at_column_data_type(snapshot_sql) %}
  {%- set ns = namespace(type=none) -%}
  {%- for column in get_column_schema_from_query(snapshot_sql) if column.column in ('dbt_updated_at', 'DBT_UPDATED_AT') -%}
    {%- set ns.type = column.dtype -%}
  {%- endfor -%}
  {{ return(ns.type or none) }}
{% endmacro %}
