{# Aggregates. #}

{# The function any_value is newer than many servers. #}
{% macro postgres__any_value(expression) -%}
  min({{ expression }})
{%- endmacro %}
