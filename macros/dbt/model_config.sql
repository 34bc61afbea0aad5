{# What a node's config and the command line say together. #}

{# `{% call set_sql_header(config) %} … {% endcall %}`: SQL to send ahead of the model's own statement. #}
{% macro set_sql_header(config) -%}
  {{ config.set('sql_header', caller()) }}
{%- endmacro %}

{# The node's own `full_refresh` wins over the flag, in both directions. #}
{% macro should_full_refresh() %}
  {%- set configured = config.get('full_refresh') -%}
  {%- do return(flags.FULL_REFRESH if configured is none else configured) -%}
{% endmacro %}

{% macro should_store_failures() %}
  {%- set configured = config.get('store_failures') -%}
  {%- do return(flags.STORE_FAILURES if configured is none else configured) -%}
{% endmacro %}

{% macro is_core_v2() -%}
  {{ return(dbt_version.split('.')[0] | int == 2) }}
{%- endmacro %}
