/** Numbers as a line the size of a word. */
interface SparklineProps {
  numbers: number[];
  label: string;
  width?: number;
  height?: number;
}

export function Sparkline({ numbers, label, width = 96, height = 24 }: SparklineProps) {
  const most = Math.max(1, ...numbers);
  const step = width / Math.max(1, numbers.length - 1);
  // A pixel of room above and below, so that the line is not cut.
  const points = numbers.map((number, place) => {
    const y = height - 1 - (number / most) * (height - 2);
    return `${(place * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke="var(--mantine-primary-color-filled)"
        strokeWidth={1.5}
        strokeLinejoin="round"
      />
    </svg>
  );
}
