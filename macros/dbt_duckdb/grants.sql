{# There are no users to grant anything to. #}
{% macro duckdb__apply_grants(relation, grant_config, should_revoke=True) %}
  {%- if grant_config -%}
    {%- do adapter.warn_once('DuckDB has no users: grants are ignored') -%}
  {%- endif -%}
{% endmacro %}
