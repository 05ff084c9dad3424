import "@mantine/charts/styles.layer.css";
import { BarChart } from "@mantine/charts";

export default function UsageChart({ days }: { days: { day: string; evaluations: number }[] }) {
  return (
    <BarChart
      h={280}
      data={days}
      dataKey="day"
      series={[{ name: "evaluations", label: "Evaluations", color: "harbour.6" }]}
      tickLine="y"
      barProps={{ isAnimationActive: false }}
    />
  );
}
