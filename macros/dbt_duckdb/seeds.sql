{# Loading seeds. #}

{% macro duckdb__get_binding_char() %}
  {{ return(adapter.get_binding_char()) }}
{% endmacro %}

{% macro duckdb__get_batch_size() %}
  {{ return(10000) }}
{% endmacro %}

{# The engine reads the file itself, unless the seed says `fast: false`: then its rows are bound and inserted. #}
{% macro duckdb__load_csv_rows(model, agate_table) %}
  {%- if not config.get('fast', true) -%}
    {%- do return(_insert_csv_rows(model, adapter.convert_datetimes_to_strs(agate_table))) -%}
  {%- endif -%}
  {%- set copy -%}
    COPY {{ this.render() }} FROM '{{ adapter.get_seed_file_path(model) }}' (FORMAT CSV, HEADER TRUE, DELIMITER '{{ config.get('delimiter', ',') }}')
  {%- endset -%}
  {%- do adapter.add_query(copy, abridge_sql_log=True) -%}
  {{ return(copy) }}
{% endmacro %}
