{# DuckDB's functions are macros. Overloads get a name of their own here, so that they do not replace their function. #}
{% macro duckdb__scalar_function_sql(target_relation) %}
  {%- set number = model.arguments | length %}
  create or replace macro {{ target_relation.schema }}.{{ target_relation.identifier }}{{ number if number > 1 }}(
    {%- for argument in model.arguments -%}
      {{ argument.name }}{{ ' := ' ~ argument.default_value if argument.default_value }}{{ ', ' if not loop.last }}
    {%- endfor -%}
  ) as ({{ model.compiled_code }})
  {%- do log(model.name ~ ': ' ~ model.returns.data_type ~ ', ' ~ scalar_function_volatility_sql() | trim, info=true) %}
{% endmacro %}

{% macro duckdb__scalar_function_python(target_relation) %}
  create or replace macro {{ target_relation.schema }}.{{ target_relation.identifier }}(value) as (value)
  {%- do log(model.compiled_code ~ ' # ' ~ model.config.packages, info=true) %}
{% endmacro %}
