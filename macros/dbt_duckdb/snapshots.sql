{# Snapshots: an update and an insert, where others merge. #}

{% macro duckdb__snapshot_merge_sql(target, source, insert_cols) -%}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- set open_until = config.get('dbt_valid_to_current') -%}
  {%- set valid_to = 'DBT_INTERNAL_TARGET.' ~ columns.dbt_valid_to -%}
  {%- set taken = [] -%}
  {%- for name in insert_cols -%}
    {%- do taken.append('DBT_INTERNAL_SOURCE.' ~ name) -%}
  {%- endfor %}
    update {{ target }} as DBT_INTERNAL_TARGET
    set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = DBT_INTERNAL_TARGET.{{ columns.dbt_scd_id }}::text
      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
      {% if open_until -%}
      and ({{ valid_to }} = {{ open_until }} or {{ valid_to }} is null);
      {%- else -%}
      and {{ valid_to }} is null;
      {%- endif %}

    insert into {{ target }} ({{ insert_cols | join(', ') }})
    select {{ taken | join(', ') }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;
{% endmacro %}

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
