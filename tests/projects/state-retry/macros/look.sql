{% macro look(at) %}{% do run_query("select * from " ~ at) %}{% endmacro %}
