-- How rough the sea was, from the weather service.
select port, cast(observed_at as timestamp) as observed_at, wave_height_m
from {{ source('weather', 'observations') }}
