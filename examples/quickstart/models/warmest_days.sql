select
    sensor,
    arg_max(day, mean_celsius) as day,
    max(mean_celsius) as mean_celsius
from {{ ref('daily_temperatures') }}
group by sensor
