{# Equality. #}

{% macro postgres__equals(expr1, expr2) -%}
  {%- set operator = 'IS NOT DISTINCT FROM' if adapter.behavior.enable_truthy_nulls_equals_macro.no_warn else '=' %}
    ({{ expr1 }} {{ operator }} {{ expr2 }})
{%- endmacro %}
