/** Numbers day by day. Loaded by `lazy` alone: charts are the largest part of the dashboard, and few pages have one. */
import "@mantine/charts/styles.layer.css";
import { BarChart } from "@mantine/charts";

interface Series {
  /** The name of the number in each day. */
  name: string;
  label: string;
  color: string;
}

interface DailyChartProps {
  days: ({ day: string } & Record<string, number | string>)[];
  series: Series[];
}

export default function DailyChart({ days, series }: DailyChartProps) {
  return (
    <BarChart
      h={280}
      data={days}
      dataKey="day"
      type="stacked"
      series={series}
      withLegend={series.length > 1}
      tickLine="y"
      xAxisProps={{ tickFormatter: (day: string) => day.slice(5) }}
      valueFormatter={(value) => value.toLocaleString()}
      barProps={{ isAnimationActive: false }}
    />
  );
}
