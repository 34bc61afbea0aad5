{{ config(materialized='incremental', event_time='beat_at', batch_size='day', begin='2024-01-01', concurrent_batches=false) }}
select id, case when id = 5 then error('the fifth beat is missing') else beat_at end as beat_at from {{ ref('beats') }}
