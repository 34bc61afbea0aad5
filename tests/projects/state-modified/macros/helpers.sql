{% macro helper() %}{{ inner_helper() }}{% endmacro %}{% macro inner_helper() %}1{% endmacro %}
