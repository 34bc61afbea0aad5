{% macro tax() %}{{ return(0.1) }}{% endmacro %}
