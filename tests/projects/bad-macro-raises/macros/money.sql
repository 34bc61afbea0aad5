{% macro dollars() %}
  {{ exceptions.raise_compiler_error('no amount was given') }}
{% endmacro %}
