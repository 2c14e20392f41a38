-- How each forecasting method did in the backtest.
SELECT
  topic, metric, run_at, method, horizon_hours,
  mase, smape, pinball, coverage_80, coverage_95, chosen
FROM `{dataset}.latest_forecast_accuracy`
