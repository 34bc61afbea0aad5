{# Contracts: a model's query and its documented columns have to agree before it is built. #}

{%- macro get_table_columns_and_constraints() -%}
  {{ adapter.dispatch('get_table_columns_and_constraints', 'dbt')() }}
{%- endmacro -%}

{% macro default__get_table_columns_and_constraints() -%}
  {{ return(table_columns_and_constraints()) }}
{%- endmacro %}

{# The parenthesised part of `create table`: columns with types and constraints, then the table's own constraints. #}
{% macro table_columns_and_constraints() %}
  {%- set parts = adapter.render_raw_columns_constraints(raw_columns=model['columns'])
                + adapter.render_raw_model_constraints(raw_constraints=model['constraints']) %}
    ( {{ parts | join(', ') }} )
{% endmacro %}


{%- macro get_assert_columns_equivalent(sql) -%}
  {{ adapter.dispatch('get_assert_columns_equivalent', 'dbt')(sql) }}
{%- endmacro -%}

{% macro default__get_assert_columns_equivalent(sql) -%}
  {{ return(assert_columns_equivalent(sql)) }}
{%- endmacro %}

{# Raises unless the query yields exactly the declared columns, types included; their order is free. Renders nothing. #}
{% macro assert_columns_equivalent(sql) %}
  {%- if not model['columns'] -%}
    {%- do exceptions.raise_contract_error([], []) -%}
  {%- endif -%}

  {%- set actual = format_columns(get_column_schema_from_query(sql, config.get('sql_header', none))) -%}
  {%- set declared = format_columns(get_column_schema_from_query(get_empty_schema_sql(model['columns']))) -%}

  {%- set expected = {} -%}
  {%- for column in declared -%}
    {%- do expected.update({column['name']: column['formatted']}) -%}
  {%- endfor -%}
  {%- set ns = namespace(agree=(actual | length == declared | length)) -%}
  {%- for column in actual if expected.get(column['name']) != column['formatted'] -%}
    {%- set ns.agree = false -%}
  {%- endfor -%}
  {%- if not ns.agree -%}
    {%- do exceptions.raise_contract_error(declared, actual) -%}
  {%- endif -%}
{% endmacro %}

{# Columns in the form that a contract's error shows. #}
{% macro format_columns(columns) %}
  {%- set shown = [] -%}
  {%- for column in columns -%}
    {%- do shown.append(adapter.dispatch('format_column', 'dbt')(column)) -%}
  {%- endfor -%}
  {{ return(shown) }}
{% endmacro %}

{% macro default__format_column(column) -%}
  {{ return({'name': column.name, 'data_type': column.dtype, 'formatted': column.column.lower() ~ ' ' ~ column.dtype}) }}
{%- endmacro -%}
