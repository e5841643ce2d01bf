// The entry `millrace/metrics`: only its users install what it needs.
export {
  type MeasuredServer,
  type MetricsRegistry,
  type Prometheus,
  type PrometheusOptions,
  prometheus,
} from './metrics/prometheus.js'
