{% macro hello(name='you') %}
    {{ print('hello ' ~ name) }}
    {{ log('env: ' ~ env_var('DBT_ENGINE_PRINTER_WIDTH', 'none') ~ ', fail fast: ' ~ flags.FAIL_FAST, info=true) }}
{% endmacro %}
