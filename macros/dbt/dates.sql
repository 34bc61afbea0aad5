{# Dates that a macro is called with, as text: one day, a range of days, and the present moment. #}

{% macro convert_datetime(date_str, date_fmt) %}
  {{ return(try_or_compiler_error(
    "'" ~ date_str ~ "' is not a date of the format '" ~ date_fmt ~ "'",
    modules.datetime.datetime.strptime, date_str.strip(), date_fmt
  )) }}
{% endmacro %}

{# Every day from the first to the last, both included; as datetimes if `out_fmt` is empty. #}
{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt="%Y%m%d", out_fmt="%Y%m%d") %}
  {%- set first = convert_datetime(start_date_str, in_fmt) -%}
  {%- set last = first if end_date_str is none else convert_datetime(end_date_str, in_fmt) -%}
  {%- set span = (last - first).days -%}
  {%- if span < 0 -%}
    {%- do exceptions.raise_compiler_error('A range of dates has to begin before it ends: ' ~ first ~ ', ' ~ last, model) -%}
  {%- endif -%}

  {%- set days = [] -%}
  {%- for offset in range(span + 1) -%}
    {%- set day = first + modules.datetime.timedelta(days=offset) -%}
    {%- do days.append(day.strftime(out_fmt) if out_fmt else day) -%}
  {%- endfor -%}
  {{ return(days) }}
{% endmacro %}

{# "20240101" or "20240101, 20240131" as its days. #}
{% macro partition_range(raw_partition_date, date_fmt='%Y%m%d') %}
  {%- set ends = (raw_partition_date | string).split(',') -%}
  {%- if ends | length > 2 -%}
    {%- do exceptions.raise_compiler_error('Expected one date, or two with a comma between them: ' ~ raw_partition_date) -%}
  {%- endif -%}
  {{ return(dates_in_range(ends[0], ends[1] if ends | length == 2 else none, in_fmt=date_fmt)) }}
{% endmacro %}

{# The moment of the call, to the microsecond, for names that must not meet. #}
{% macro py_current_timestring() %}
  {%- do return(modules.datetime.datetime.now().strftime('%Y%m%d%H%M%S%f')) -%}
{% endmacro %}
