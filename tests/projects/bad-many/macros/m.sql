{% macro x( %}{% endmacro %}
