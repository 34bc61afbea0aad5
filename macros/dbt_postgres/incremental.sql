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
