{# Date functions. #}

{# An interval of one, multiplied, takes columns and expressions as well as numbers. #}
{% macro postgres__dateadd(datepart, interval, from_date_or_timestamp) %}
    {{ from_date_or_timestamp }} + ((interval '1 {{ datepart }}') * ({{ interval }}))
{% endmacro %}

{#
  Boundaries crossed. Months and quarters count from years, weeks from days (they begin on Sunday), and what is shorter
  than a day from the next longer part.
#}
{% macro postgres__datediff(first_date, second_date, datepart) -%}
  {%- set longer = {
    'quarter': ('year', 4), 'month': ('year', 12), 'hour': ('day', 24), 'minute': ('hour', 60), 'second': ('minute', 60),
    'millisecond': ('minute', 60000), 'microsecond': ('minute', 60000000),
  } -%}
  {%- if datepart == 'year' %}
        ({{ _postgres_difference(first_date, second_date, 'year', 'date') }})
  {% elif datepart == 'day' %}
        (({{ second_date }})::date - ({{ first_date }})::date)
  {% elif datepart == 'week' %}
        ({{ datediff(first_date, second_date, 'day') }} / 7 + case
            when date_part('dow', ({{ first_date }})::timestamp) <= date_part('dow', ({{ second_date }})::timestamp) then
                case when {{ first_date }} <= {{ second_date }} then 0 else -1 end
            else
                case when {{ first_date }} <= {{ second_date }} then 1 else 0 end
        end)
  {% elif datepart in longer -%}
    {%- set part, count = longer[datepart] -%}
    {%- if datepart in ('quarter', 'month') -%}
      {%- set rest = _postgres_difference(first_date, second_date, datepart, 'date') -%}
    {%- elif datepart in ('hour', 'minute') -%}
      {%- set rest = _postgres_difference(first_date, second_date, datepart, 'timestamp') -%}
    {%- else -%}
      {%- set ends = [] -%}
      {%- for date in (second_date, first_date) -%}
        {%- do ends.append("floor(date_part('" ~ datepart ~ "', (" ~ date ~ ')::timestamp))') -%}
      {%- endfor -%}
      {%- set rest = ends | join(' - ') -%}
    {%- endif %}
        ({{ datediff(first_date, second_date, part) }} * {{ count }} + {{ rest }})
  {% else -%}
    {%- do exceptions.raise_compiler_error('Unsupported datepart for macro datediff in postgres: ' ~ datepart) -%}
  {%- endif -%}
{%- endmacro %}

{%- macro _postgres_difference(first_date, second_date, part, type) -%}
  date_part('{{ part }}', ({{ second_date }})::{{ type }}) - date_part('{{ part }}', ({{ first_date }})::{{ type }})
{%- endmacro -%}

{# A quarter is no unit of intervals. #}
{% macro postgres__last_day(date, datepart) -%}
  {%- if datepart == 'quarter' -%}
    -- postgres dateadd does not support quarter interval.
    cast(
        {{ dbt.dateadd('day', '-1', dbt.dateadd('month', '3', dbt.date_trunc(datepart, date))) }}
        as date)
  {%- else -%}
    {{ dbt.default_last_day(date, datepart) }}
  {%- endif -%}
{%- endmacro %}
