{{ config(materialized='table', event_time='beat_at') }}
select i as id, timestamp '2024-01-01' + interval (i * 6) hour as beat_at from range(0, 20) beats(i)
