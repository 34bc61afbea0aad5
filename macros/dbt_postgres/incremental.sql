{# Incremental strategies. #}

{% macro postgres__get_incremental_default_sql(arg_dict) %}
  {%- set strategy = get_incremental_delete_insert_sql if arg_dict['unique_key'] else get_incremental_append_sql -%}
  {%- do return(strategy(arg_dict)) -%}
{% endmacro %}

{# A batch is merged by its key. #}
{% macro postgres__get_incremental_microbatch_sql(arg_dict) %}
  {%- if not arg_dict['unique_key'] -%}
    {%- do exceptions.raise_compiler_error("dbt-postgres 'microbatch' requires a `unique_key` config") -%}
  {%- endif -%}
  {%- do return(adapter.dispatch('get_incremental_merge_sql', 'dbt')(arg_dict)) -%}
{% endmacro %}

{# The server has `merge` since version 15. #}
{% macro postgres__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
  {%- set version = run_query('show server_version_num').rows[0][0] | int // 10000 -%}
  {%- if version < 15 -%}
    {%- do exceptions.raise_compiler_error(
      '`merge` needs PostgreSQL 15 or later, and this server is PostgreSQL ' ~ version
      ~ ': use the strategy delete+insert, or a newer server'
    ) -%}
  {%- endif -%}
  {{ default__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) }}
{%- endmacro %}

{#
  The keys that go are joined, not looked up one by one. They have names of their own in the join, so that predicates see
  the columns of the table alone. Without a key the predicates alone say what goes.
#}
{% macro postgres__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
  {%- set keys = [unique_key] if unique_key is string else unique_key or [] -%}
  {%- if ',' in keys | join or not keys and not incremental_predicates -%}
    {{ return(default__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates)) }}
  {%- endif -%}
  {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) %}
    delete from {{ target }} as DBT_INTERNAL_DEST
    {%- if keys %}
    using (
        select distinct {% for key in keys %}{{ key }} as dbt_key_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
        from {{ source }} as DBT_INTERNAL_SOURCE
    ) as DBT_INTERNAL_KEYS
    {%- endif %}
    where {% for key in keys %}({{ key }}) = DBT_INTERNAL_KEYS.dbt_key_{{ loop.index }}{{ ' and ' if not loop.last }}{% endfor %}
    {%- for predicate in incremental_predicates or [] %}
        {{ 'and' if keys or not loop.first }} {{ predicate }}
    {%- endfor -%};

    insert into {{ target }} ({{ names }})
    (
        select {{ names }}
        from {{ source }}
    )
{%- endmacro %}
