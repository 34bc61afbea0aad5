{% macro dollars(column) %}{{ column }} / 100{% endmacro %}
