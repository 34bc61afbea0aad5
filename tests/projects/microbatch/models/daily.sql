{{ config(
  materialized='incremental', event_time='beat_at', batch_size='day', begin=modules.datetime.date(2024, 1, 1),
  pre_hook="{{ log('before ' ~ model.batch.id, info=true) if execute }}",
  post_hook="{{ log('after ' ~ model.batch.id, info=true) if execute }}"
) }}
select id, beat_at, '{{ model.batch.id }}' as batch, {{ is_incremental() }} as incremental from {{ ref('beats') }}
