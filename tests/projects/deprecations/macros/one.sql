{% macro one() %}1{% endmacro %}
{% endmacro %}
{% set x = 1 %}
