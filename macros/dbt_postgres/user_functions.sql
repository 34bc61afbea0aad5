{# Functions: arguments may have defaults. #}

{% macro postgres__formatted_scalar_function_args_sql() %}
  {%- set arguments = [] -%}
  {%- for arg in model.arguments -%}
    {%- set default = arg.get('default_value', none) -%}
    {%- do arguments.append(arg.name ~ ' ' ~ arg.data_type ~ (' DEFAULT ' ~ default if default is not none else '')) -%}
  {%- endfor -%}
  {{ arguments | join(', ') }}
{% endmacro %}
