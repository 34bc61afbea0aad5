{# Snapshots: an update and an insert, where others merge. #}

{% macro duckdb__snapshot_merge_sql(target, source, insert_cols) -%}
  {{ _snapshot_update_and_insert(target, source, insert_cols, alias='DBT_INTERNAL_TARGET') }}
{%- endmacro %}

{# As the macro of that name in `dbt`, with a relation that MotherDuck can hold as well. #}
{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
  {%- set temp = duckdb__dispatch_temporary_relation(target_relation) -%}
  {%- set changes = snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- call statement('build_snapshot_staging_relation') -%}
    {{ create_table_as(temp.temporary, temp.relation, changes) }}
  {%- endcall -%}
  {%- do return(temp.relation) -%}
{% endmacro %}

{% macro duckdb__post_snapshot(temporary_relation) %}
  {%- do return(drop_relation(temporary_relation)) -%}
{% endmacro %}
