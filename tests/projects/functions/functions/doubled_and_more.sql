number * {{ 2 }} + {{ function('more') }}(extra)
