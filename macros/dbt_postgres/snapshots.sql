{# Snapshots: versions are closed by an update and opened by an insert, since `merge` is newer than many servers. #}

{% macro postgres__snapshot_merge_sql(target, source, insert_cols) -%}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- set open_until = config.get('dbt_valid_to_current') -%}
  {%- set valid_to = target ~ '.' ~ columns.dbt_valid_to -%}
  {%- set taken = [] -%}
  {%- for name in insert_cols -%}
    {%- do taken.append('DBT_INTERNAL_SOURCE.' ~ name) -%}
  {%- endfor %}
    update {{ target }}
    set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = {{ target }}.{{ columns.dbt_scd_id }}::text
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
