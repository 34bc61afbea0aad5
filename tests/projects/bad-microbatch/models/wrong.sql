{{ config(
  materialized='incremental', incremental_strategy='microbatch', event_time='at', begin='soon', batch_size='week', lookback='two'
) }}
select * from {{ ref('beats') }}
