{# Rows out of nothing: numbers, and dates. #}

{# The number of binary digits that count to upper_bound: the least n with upper_bound <= 2^n, and never 0. #}
{% macro get_powers_of_two(upper_bound) %}
  {{ return(adapter.dispatch('get_powers_of_two', 'dbt')(upper_bound)) }}
{% endmacro %}

{% macro default__get_powers_of_two(upper_bound) %}
  {%- if upper_bound <= 0 -%}
    {%- do exceptions.raise_compiler_error('The upper bound of a series has to be positive: ' ~ upper_bound) -%}
  {%- endif -%}
  {%- for digits in range(1, 100) if upper_bound <= 2 ** digits -%}
    {%- do return(digits) -%}
  {%- endfor -%}
{% endmacro %}


{# generated_number from 1 to upper_bound: a cross join of as many bits as it takes. #}
{% macro generate_series(upper_bound) %}
  {{ return(adapter.dispatch('generate_series', 'dbt')(upper_bound)) }}
{% endmacro %}

{% macro default__generate_series(upper_bound) %}
  {%- set digits = dbt.get_powers_of_two(upper_bound) %}

    with p as (
        select 0 as generated_number union all select 1
    ), unioned as (

    select

    {% for digit in range(digits) -%}
    p{{ digit }}.generated_number * power(2, {{ digit }})
    {{ '+ ' if not loop.last }}
    {%- endfor %}
    + 1
    as generated_number

    from

    {% for digit in range(digits) -%}
    p as p{{ digit }}
    {{ 'cross join ' if not loop.last }}
    {%- endfor %}

    )

    select *
    from unioned
    where generated_number <= {{ upper_bound }}
    order by generated_number

{% endmacro %}


{# How many dateparts lie between two dates. The warehouse is asked, so at parse time it is 1. #}
{% macro get_intervals_between(start_date, end_date, datepart) -%}
  {{ return(adapter.dispatch('get_intervals_between', 'dbt')(start_date, end_date, datepart)) }}
{%- endmacro %}

{% macro default__get_intervals_between(start_date, end_date, datepart) -%}
  {%- call statement('get_intervals_between', fetch_result=True) -%}
    select {{ dbt.datediff(start_date, end_date, datepart) }}
  {%- endcall -%}
  {%- set answer = load_result('get_intervals_between') -%}
  {{ return(answer['data'][0][0] if answer and answer['data'] else 1) }}
{%- endmacro %}


{# One row for each datepart from start_date up to end_date, itself included if it is reached. #}
{% macro date_spine(datepart, start_date, end_date) %}
  {{ return(adapter.dispatch('date_spine', 'dbt')(datepart, start_date, end_date)) }}
{%- endmacro %}

{% macro default__date_spine(datepart, start_date, end_date) %}

    with rawdata as (

        {{ dbt.generate_series(dbt.get_intervals_between(start_date, end_date, datepart)) }}

    ),

    all_periods as (

        select (
            {{ dbt.dateadd(datepart, 'row_number() over (order by 1) - 1', start_date) }}
        ) as date_{{ datepart }}
        from rawdata

    ),

    filtered as (

        select *
        from all_periods
        where date_{{ datepart }} <= {{ end_date }}

    )

    select * from filtered

{% endmacro %}
