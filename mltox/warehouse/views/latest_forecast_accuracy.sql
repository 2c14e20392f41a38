-- How each method did in the backtest behind the newest forecast of each topic and metric.
SELECT
  topic, metric, run_at, method, horizon_hours,
  mase, smape, pinball, coverage_80, coverage_95, chosen
FROM `{dataset}.forecast_accuracy`
WHERE TRUE
QUALIFY
  run_at = MAX(run_at) OVER (PARTITION BY topic, metric)
  AND ROW_NUMBER() OVER (PARTITION BY topic, metric, run_at, method ORDER BY chosen DESC, mase) = 1
