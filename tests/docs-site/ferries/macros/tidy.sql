{% macro tidy(column) %}{{ harbour.single_spaced("array_to_string(list_transform(string_split(trim(" ~ column ~ "), ' '), x -> upper(x[1]) || lower(x[2:])), ' ')") }}{% endmacro %}

{% macro load_weather() %}
create schema if not exists weather;
create or replace table weather.observations as
select port, timestamp '2026-01-08 06:00:00' as observed_at, 1.5 as wave_height_m from (values ('Kiel'), ('Oslo')) as ports(port);
{% endmacro %}
