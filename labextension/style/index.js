import './base.css';
import './panel.css';
import './findings.css';
