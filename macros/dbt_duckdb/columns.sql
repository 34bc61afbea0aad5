{# Reading and changing columns. #}

{# DESCRIBE looks at one relation; the information schema would load whole attached catalogs. Types hold their precision. #}
{% macro duckdb__get_columns_in_relation(relation) -%}
  {%- call statement('get_columns_in_relation', fetch_result=True) -%}
    select
        column_name,
        column_type as data_type,
        cast(null as bigint) as character_maximum_length,
        cast(null as bigint) as numeric_precision,
        cast(null as bigint) as numeric_scale
    from (describe {{ relation.render() }})
  {%- endcall -%}
  {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{% endmacro %}

{# The header cannot stand inside DESCRIBE (…), so it runs on its own, ahead. #}
{% macro duckdb__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
  {%- if select_sql_header is not none -%}
    {%- do run_query(select_sql_header) -%}
  {%- endif -%}
    select * from (
        {{ select_sql }}
    ) as __dbt_sbq
    where false
    limit 0
{% endmacro %}

{# One change a statement is all that ALTER takes. #}
{% macro duckdb__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {%- set alter = 'alter ' ~ relation.type ~ ' ' ~ relation -%}
  {%- for column in add_columns or [] -%}
    {%- do run_query(alter ~ ' add column ' ~ api.Relation.create(identifier=column.name) ~ ' ' ~ column.data_type) -%}
  {%- endfor -%}
  {%- for column in remove_columns or [] -%}
    {%- do run_query(alter ~ ' drop column ' ~ api.Relation.create(identifier=column.name)) -%}
  {%- endfor -%}
{% endmacro %}


{# A config that may be one string or a list of them, always as a list. #}
{%- macro normalize_string_or_list(raw, field_name) -%}
  {%- if raw is none -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- if raw is not string and (raw is mapping or raw is not sequence) -%}
    {%- do exceptions.raise_compiler_error(field_name ~ ' is one string or a list of strings, not ' ~ raw) -%}
  {%- endif -%}
  {%- set items = [raw] if raw is string else raw | list -%}
  {%- if items | reject('string') | list -%}
    {%- do exceptions.raise_compiler_error(field_name ~ ' list values must be non-empty strings') -%}
  {%- endif -%}
  {{ return(items) }}
{%- endmacro -%}
