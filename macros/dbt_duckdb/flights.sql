{# MotherDuck Flights, which run Python models there. #}

{# A name has to be one of a kind for a user; two targets with one database and schema need an override. #}
{% macro flight_name(parsed_model) -%}
  {{ return(adapter.dispatch('flight_name', 'dbt')(parsed_model)) }}
{%- endmacro %}

{% macro default__flight_name(parsed_model) -%}
  {{ return(duckdb__flight_name(parsed_model)) }}
{%- endmacro %}

{% macro duckdb__flight_name(parsed_model) -%}
  {%- set parts = [
    'dbt', parsed_model.get('package_name'), parsed_model.get('database'), parsed_model.get('schema'),
    parsed_model.get('alias') or parsed_model.get('name'),
  ] -%}
  {{ return(parts | select | join('-')) }}
{%- endmacro %}
