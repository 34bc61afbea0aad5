{% macro single_spaced(text) %}regexp_replace({{ text }}, ' +', ' ', 'g'){% endmacro %}
