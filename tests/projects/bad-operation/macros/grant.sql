{% macro grant_to(role) %}{{ log(role, info=true) }}{% endmacro %}
